# torch's dynamically quantised Linear for Kernels.Perf: reads commands from standard input, one a line, and answers each with one line.
#   layer OUTPUTS INPUTS COPIES PATH   reads float32 weights and quantises that many copies of the layer  -> ok
#   input ROWS PATH                    reads float32 activations                                          -> ok
#   run THREADS CALLS                  calls in turn on the copies                                        -> seconds for all calls
#   save PATH                          runs the first copy and writes its output as float32               -> ok
import sys
import time
import warnings

import torch

warnings.filterwarnings("ignore")

def quantised(linear):
    return torch.quantization.quantize_dynamic(torch.nn.Sequential(linear), {torch.nn.Linear}, dtype=torch.qint8)


def make_layers(outputs, inputs, copies, path):
    linear = torch.nn.Linear(inputs, outputs, bias=False)
    linear.weight.copy_(torch.from_file(path, shared=False, size=outputs * inputs, dtype=torch.float32).view(outputs, inputs))
    return [quantised(linear) for _ in range(copies)], inputs


def run(layers, activations, threads, calls, first):
    torch.set_num_threads(threads)
    start = time.perf_counter()
    for call in range(first, first + calls):
        layers[call % len(layers)](activations)
    return time.perf_counter() - start


with torch.no_grad():
    layers, inputs, activations, made = [], 0, None, 0
    for line in sys.stdin:
        command, *words = line.rstrip("\n").split(" ", 4)
        answer = "ok"
        if command == "layer":
            layers = []
            layers, inputs = make_layers(int(words[0]), int(words[1]), int(words[2]), words[3])
        elif command == "input":
            rows = int(words[0])
            activations = torch.from_file(" ".join(words[1:]), shared=False, size=rows * inputs, dtype=torch.float32).view(rows, inputs).clone()
        elif command == "run":
            answer = repr(run(layers, activations, int(words[0]), int(words[1]), made))
            made += int(words[1])
        else:
            result = layers[0](activations)
            torch.from_file(" ".join(words), shared=True, size=result.numel(), dtype=torch.float32).copy_(result.view(-1))
        print(answer, flush=True)
