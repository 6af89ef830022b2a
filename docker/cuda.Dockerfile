# The program with its GPU module; CUDA, cuBLAS and cuDNN in fixed versions (scripts/install_cuda.sh). From the project's root:
#   docker build -f docker/cuda.Dockerfile -t resnet_study:cuda .
# To run it: a driver for CUDA 13 (580 or newer) and NVIDIA's container toolkit on the machine, docker run --gpus all.
FROM debian:bookworm-20250929-slim AS build
WORKDIR /project
COPY scripts scripts
RUN scripts/install_dependencies.sh --cuda
RUN scripts/install_cuda.sh /opt/cuda
COPY . .
RUN CUDA_HOME=/opt/cuda scripts/build.sh release -DRS_TESTS=OFF -DRS_CUDA=ON
RUN cmake --install build/release --prefix /usr/local --strip
RUN for name in cudart cublas nvrtc cudnn; do cp -L /opt/cuda/lib64/lib$name*.so.[0-9]* /usr/local/lib/; done
RUN rm /usr/local/lib/libcudnn_adv.so.*

FROM debian:bookworm-20250929-slim
COPY --from=build /usr/local /usr/local
COPY --from=build /project/scripts/install_dependencies.sh scripts/
RUN scripts/install_dependencies.sh --run
RUN ldconfig
RUN resnet_study devices
RUN useradd --create-home --uid 1000 study
RUN install -d -o study -g study /data
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER study
WORKDIR /data
ENTRYPOINT ["resnet_study"]
