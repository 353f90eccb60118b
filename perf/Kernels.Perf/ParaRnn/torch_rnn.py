# Recurrences in torch for Kernels.Perf: reads commands from standard input, one a line, and answers each with one line.
#   load CHANNELS STEPS PATH   reads float32 gate inputs [steps, 3, channels] and recurrent weights [3, channels]   -> ok
#   loop CALLS                 the diagonal GRU as a loop over the steps                                            -> seconds for all calls
#   loopgrad CALLS             the same with the gradients by inputs and weights                                    -> seconds for all calls
#   gru CALLS                  torch.nn.GRU of that width on as many steps: another, dense cell                     -> seconds for all calls
#   save PATH                  writes the loop's states as float32                                                  -> ok
import sys
import time

import torch

torch.set_num_threads(1)

def loop(gates, weights):
    state = torch.zeros(gates.shape[2])
    states = []
    for x in gates:
        z = torch.sigmoid(weights[0] * state + x[0])
        r = torch.sigmoid(weights[1] * state + x[1])
        c = torch.tanh(weights[2] * (state * r) + x[2])
        state = state + z * (c - state)
        states.append(state)
    return torch.stack(states)


def loop_with_gradients(gates, weights):
    gates, weights = gates.clone().requires_grad_(), weights.clone().requires_grad_()
    loop(gates, weights).sum().backward()


def timed(function, calls):
    start = time.perf_counter()
    for _ in range(calls):
        function()
    return repr(time.perf_counter() - start)


for line in sys.stdin:
    command, *words = line.rstrip("\n").split(" ", 3)
    answer = "ok"
    if command == "load":
        channels, steps = int(words[0]), int(words[1])
        numbers = torch.from_file(words[2], shared=False, size=3 * channels * (steps + 1), dtype=torch.float32).clone()
        gates, weights = numbers[: 3 * channels * steps].view(steps, 3, channels), numbers[3 * channels * steps :].view(3, channels)
        dense, inputs = torch.nn.GRU(channels, channels), torch.randn(steps, 1, channels)
    elif command == "loopgrad":
        answer = timed(lambda: loop_with_gradients(gates, weights), int(words[0]))
    else:
        with torch.no_grad():
            if command == "loop":
                answer = timed(lambda: loop(gates, weights), int(words[0]))
            elif command == "gru":
                answer = timed(lambda: dense(inputs), int(words[0]))
            else:
                states = loop(gates, weights)
                torch.from_file(" ".join(words), shared=True, size=states.numel(), dtype=torch.float32).copy_(states.view(-1))
    print(answer, flush=True)
