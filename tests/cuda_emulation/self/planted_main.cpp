/* planted_main.cpp: runs the case that the command line names; without a name lists them. */
#include <cuda_runtime_api.h>
#include <string.h>

#include "planted.h"

float *device_floats(int64_t count)
{
    void *memory = nullptr;
    OK(cudaMalloc(&memory, (size_t)count * sizeof(float)));
    return static_cast<float *>(memory);
}

float *device_copy(const std::vector<float> &values)
{
    float *device = device_floats((int64_t)values.size());
    OK(cudaMemcpy(device, values.data(), values.size() * sizeof(float), cudaMemcpyHostToDevice));
    OK(cudaDeviceSynchronize());
    return device;
}

std::vector<float> host_copy(const float *device, int64_t count)
{
    std::vector<float> values((size_t)count);
    OK(cudaDeviceSynchronize());
    OK(cudaMemcpy(values.data(), device, values.size() * sizeof(float), cudaMemcpyDeviceToHost));
    return values;
}

std::vector<float> counting(int64_t count)
{
    std::vector<float> values((size_t)count);
    for (size_t i = 0; i < values.size(); i++) {
        values[i] = (float)(i + 1);
    }
    return values;
}

void release(std::vector<void *> device)
{
    for (void *memory : device) {
        OK(cudaFree(memory));
    }
}

int main(int argc, char **argv)
{
    for (const auto *list :
         {&kernel_cases, &memory_cases, &stream_cases, &graph_cases, &cudnn_cases, &cublas_cases}) {
        for (const planted_case &one : *list) {
            if (argc < 2) {
                printf("%s\n", one.name);
            } else if (strcmp(argv[1], one.name) == 0) {
                return one.run();
            }
        }
    }
    if (argc >= 2) {
        fprintf(stderr, "no case %s\n", argv[1]);
    }
    return argc < 2 ? 0 : UNEXPECTED;
}
