# The program for machines without a GPU, built by the scripts of the README. From the project's root:
#   docker build -f docker/cpu.Dockerfile -t resnet_study .
FROM debian:bookworm-slim
WORKDIR /project
COPY . .
RUN scripts/install_dependencies.sh
RUN scripts/build.sh release -DRS_TESTS=OFF
RUN cmake --install build/release --prefix /usr/local
RUN resnet_study --version
WORKDIR /data
ENTRYPOINT ["resnet_study"]
