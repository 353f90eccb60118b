# Attention for Kernels.Perf: reads commands from standard input, one a line, and answers each with one line.
#   load QUERIES KEYS QUERY_HEADS KEY_HEADS DIMENSION PATH   reads float32 queries, keys, values, each [tokens, heads, dimension]   -> ok
#   run THREADS CALLS                                        causal attention, bottom-right aligned                               -> seconds for all calls
#   save PATH                                                runs once and writes [queries, query heads, dimension] as float32    -> ok
# Keys and values are laid out head by head beforehand; the query heads of a group are the rows of one product, so that keys are not repeated.
import math
import sys
import time

import torch


class Problem:
    def __init__(self, queries, keys, query_heads, key_heads, dimension, path):
        sizes = [queries * query_heads * dimension, keys * key_heads * dimension, keys * key_heads * dimension]
        numbers = torch.from_file(path, shared=False, size=sum(sizes), dtype=torch.float32)
        q, k, v = torch.split(numbers, sizes)
        group = query_heads // key_heads
        self.shape = (queries, key_heads, group, dimension)
        self.q = q.view(queries, key_heads, group, dimension).permute(1, 2, 0, 3).reshape(key_heads, group * queries, dimension).contiguous()
        self.k = k.view(keys, key_heads, dimension).permute(1, 2, 0).contiguous()
        self.v = v.view(keys, key_heads, dimension).transpose(0, 1).contiguous()
        self.scale = 1 / math.sqrt(dimension)
        self.mask = None
        if queries > 1:
            self.mask = torch.full((queries, keys), -math.inf).triu(keys - queries + 1).repeat(group, 1)

    def attend(self):
        scores = torch.bmm(self.q, self.k).mul_(self.scale)
        if self.mask is not None:
            scores += self.mask
        return torch.bmm(torch.softmax(scores, -1), self.v)

    def save(self, path):
        queries, heads, group, dimension = self.shape
        result = self.attend().view(heads, group, queries, dimension).permute(2, 0, 1, 3).contiguous().view(-1)
        torch.from_file(path, shared=True, size=result.numel(), dtype=torch.float32).copy_(result)


with torch.no_grad():
    problem = None
    for line in sys.stdin:
        command, *words = line.rstrip("\n").split(" ", 6)
        answer = "ok"
        if command == "load":
            problem = None
            problem = Problem(*map(int, words[:5]), words[5])
        elif command == "run":
            torch.set_num_threads(int(words[0]))
            start = time.perf_counter()
            for _ in range(int(words[1])):
                problem.attend()
            answer = repr(time.perf_counter() - start)
        else:
            problem.save(" ".join(words))
        print(answer, flush=True)
