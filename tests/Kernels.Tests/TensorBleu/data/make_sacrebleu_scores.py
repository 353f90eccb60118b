#!/usr/bin/env python3
"""Writes sacrebleu_scores.bin beside this script: the scores that sacreBLEU gives the sentences of make_nltk_pairs.py.

Needs sacreBLEU 2 (PyPI: sacrebleu) and what make_nltk_pairs.py needs. The same pairs give the same file.

Layout, little-endian: for each pair eight f64 in percent: smooth_method none, floor, add-k, exp without effective order, then with it.
"""
import pathlib
import random
import struct

from sacrebleu.metrics import BLEU

import make_nltk_pairs as nltk_pairs

METHODS = ["none", "floor", "add-k", "exp"]


def text(ids):
    return " ".join(map(str, ids))


def main():
    rng = random.Random(nltk_pairs.SEED)
    scorers, out = {}, bytearray()
    for _ in range(nltk_pairs.PAIRS):
        order, candidate, references = nltk_pairs.pair(rng)
        if order not in scorers:
            scorers[order] = [BLEU(tokenize="none", smooth_method=method, max_ngram_order=order, effective_order=effective)
                              for effective in (False, True) for method in METHODS]
        out += struct.pack("<8d", *(bleu.sentence_score(text(candidate), list(map(text, references))).score for bleu in scorers[order]))
    pathlib.Path(__file__).with_name("sacrebleu_scores.bin").write_bytes(out)


if __name__ == "__main__":
    main()
