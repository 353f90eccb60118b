#!/usr/bin/env python3
"""Writes nltk_pairs.bin beside this script: random sentences with the scores that NLTK gives them.

Needs NLTK 3.8 (Debian: python3-nltk). The same seed gives the same file.

Layout, little-endian:
  "NLTKBLEU", u32 pairs, u32 pairs of a corpus
  for each pair:   u8 order, u8 references, u8 length, the candidate's ids (u8), for each reference u8 length and its ids,
                   f64 sentence_bleu by SmoothingFunction methods 0 to 7 with equal weights; NaN where NLTK fails
  for each corpus: f64 corpus_bleu of its pairs by methods 0 to 4 with orders 1 to 4 (5 to 7 look at the last sentence alone)
"""
import math
import pathlib
import random
import struct
import warnings

from nltk.translate.bleu_score import SmoothingFunction, corpus_bleu, sentence_bleu

PAIRS = 3000
CORPUS_PAIRS = 30
SEED = 20240607
METHODS = [getattr(SmoothingFunction(), f"method{i}") for i in range(8)]
CORPUS_METHODS = METHODS[:5]


def sentence(rng, vocabulary, longest):
    return [rng.randrange(vocabulary) for _ in range(rng.randint(0 if rng.random() < 0.05 else 1, longest))]


def mutated(rng, tokens, vocabulary, rate):
    result = []
    for token in tokens:
        draw = rng.random()
        if draw < rate / 3:
            continue
        result.append(rng.randrange(vocabulary) if draw < rate else token)
        if rng.random() < rate / 3:
            result.append(rng.randrange(vocabulary))
    return result[:255]


def pair(rng):
    vocabulary, longest = rng.choice([3, 10, 50, 200]), rng.choice([3, 8, 20, 40])
    candidate = sentence(rng, vocabulary, longest)
    references = [mutated(rng, candidate, vocabulary, rng.choice([0.05, 0.2, 0.5, 0.9])) for _ in range(rng.choice([1, 1, 1, 2, 4]))]
    return rng.choice([1, 2, 3, 4, 4, 4, 5, 6]), candidate, references


def score(order, candidate, references, method):
    try:
        return float(sentence_bleu(references, candidate, (1 / order,) * order, method))
    except (AssertionError, IndexError):
        return math.nan


def main():
    warnings.simplefilter("ignore")
    rng = random.Random(SEED)
    pairs = [pair(rng) for _ in range(PAIRS)]
    out = bytearray(b"NLTKBLEU" + struct.pack("<II", PAIRS, CORPUS_PAIRS))
    for order, candidate, references in pairs:
        out += bytes([order, len(references), len(candidate), *candidate])
        for reference in references:
            out += bytes([len(reference), *reference])
        out += struct.pack("<8d", *(score(order, candidate, references, method) for method in METHODS))
    for first in range(0, PAIRS, CORPUS_PAIRS):
        corpus = pairs[first:first + CORPUS_PAIRS]
        references, candidates = [p[2] for p in corpus], [p[1] for p in corpus]
        out += struct.pack("<5d", *(float(corpus_bleu(references, candidates, smoothing_function=method)) for method in CORPUS_METHODS))
    pathlib.Path(__file__).with_name("nltk_pairs.bin").write_bytes(out)


if __name__ == "__main__":
    main()
