# NLTK's sentence_bleu with method 1 for Kernels.Perf: reads commands from standard input, one a line, and answers each with one line.
#   load BATCH LENGTH REFERENCES PATH   reads int32 ids: candidates, then references; makes lists of them   -> ok
#   run CALLS                           scores the batch so often, one sentence after another               -> seconds for all calls
#   save PATH                           scores the batch and writes float64 scores                          -> ok
import array
import sys
import time

import nltk
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

print("nltk", nltk.__version__, flush=True)
METHOD = SmoothingFunction().method1


def load(batch, length, references, path):
    ids = array.array("i")
    with open(path, "rb") as file:
        ids.frombytes(file.read())
    rows = [ids[i:i + length].tolist() for i in range(0, len(ids), length)]
    return rows[:batch], [rows[batch + i * references:batch + (i + 1) * references] for i in range(batch)]


def score(candidates, references):
    return [sentence_bleu(own, candidate, smoothing_function=METHOD) for candidate, own in zip(candidates, references)]


candidates, references = [], []
for line in sys.stdin:
    command, *words = line.rstrip("\n").split(" ", 4)
    answer = "ok"
    if command == "load":
        candidates, references = load(int(words[0]), int(words[1]), int(words[2]), words[3])
    elif command == "run":
        start = time.perf_counter()
        for _ in range(int(words[0])):
            score(candidates, references)
        answer = repr(time.perf_counter() - start)
    else:
        with open(" ".join(words), "wb") as file:
            array.array("d", score(candidates, references)).tofile(file)
    print(answer, flush=True)
