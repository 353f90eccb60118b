#!/usr/bin/env python3
"""Writes tensorbleu_scores.bin beside this script: random padded batches, scored by the steps that TensorBLEU (arXiv 2510.05485) describes.

Needs torch (Debian: python3-torch). The same seed gives the same file. The published implementation computes in float32, this one in float64.
The steps of one order n: unfold into windows of n ids; leave out windows that hold the pad id; torch.unique numbers all windows of the batch; bincount over
(sentence, number) counts them; the counts of the references are combined by maximum, and the candidate's clipped to them by minimum.
A corpus leaves out an order of which a candidate is too short, and, for an order, a column of references of which one is too short.

Layout, little-endian: u32 batches; for each: u8 sentences, u8 references, u8 length; the candidates' ids (u8), the references' [sentences, references, length];
f64 [4 methods][sentences] sentence scores by none, floor, add-k, exp; f64 [4 methods] corpus scores. Pad id 0, orders 1 to 4.
"""
import pathlib
import struct

import torch

BATCHES = 120
ORDERS = 4
SEED = 7
METHODS = ["none", "floor", "add-k", "exp"]
TINY, FLOOR, K = 1e-12, 0.1, 1


def windows(ids, n):
    """[sentences, places, n] and which of the places hold no padding."""
    if ids.shape[1] < n:
        return ids.new_zeros(ids.shape[0], 0, n), torch.zeros(ids.shape[0], 0, dtype=torch.bool)
    parts = ids.unfold(1, n, 1)
    return parts, (parts != 0).all(dim=2)


def matches(candidates, columns, n):
    """Clipped matches and windows of each sentence."""
    sides = [windows(ids, n) for ids in [candidates, *columns]]
    distinct, number = torch.unique(torch.cat([parts[valid] for parts, valid in sides]), dim=0, return_inverse=True)
    counts, first = [], 0
    for parts, valid in sides:
        sentence = torch.nonzero(valid)[:, 0]
        last = first + len(sentence)
        cells = torch.bincount(number[first:last] + sentence * len(distinct), minlength=len(candidates) * len(distinct))
        counts.append(cells.view(len(candidates), len(distinct)))
        first = last
    most = torch.stack(counts[1:]).amax(dim=0) if len(counts) > 1 else torch.zeros_like(counts[0])
    return torch.minimum(counts[0], most).sum(dim=1).double(), sides[0][1].sum(dim=1).double()


def closest(candidates, references):
    lengths, others = (candidates != 0).sum(dim=1), (references != 0).sum(dim=2)
    # The first of equally close ones.
    nearest = (others - lengths[:, None]).abs().argmin(dim=1)
    return lengths.double(), others.gather(1, nearest[:, None])[:, 0].double()


def plain(matched, total):
    return torch.where(total > 0, matched / total.clamp(min=1), torch.zeros_like(total))


def sentence_scores(candidates, references, method):
    pairs = [matches(candidates, references.unbind(1), n) for n in range(1, ORDERS + 1)]
    matched, total = (torch.stack(part, dim=1) for part in zip(*pairs))
    if method == "floor":
        precision = torch.where(matched == 0, torch.full_like(matched, FLOOR), matched) / total.clamp(min=1)
    elif method == "add-k":
        precision = (matched + K) / (total + K)
    else:
        precision = plain(matched, total)
        if method == "exp":
            precision[precision == 0] = TINY
    length, other = closest(candidates, references)
    penalty = torch.where(length < other, torch.exp(1 - other / length.clamp(min=1)), torch.ones_like(length))
    penalty[length == 0] = 0
    return penalty * torch.exp(torch.log(precision + TINY).mean(dim=1))


def corpus_score(candidates, references, method):
    own, others = (candidates != 0).sum(dim=1), (references != 0).sum(dim=2)
    matched, total = torch.zeros(ORDERS, dtype=torch.float64), torch.zeros(ORDERS, dtype=torch.float64)
    for n in range(1, ORDERS + 1):
        if (own < n).any():
            continue
        columns = [references[:, r] for r in range(references.shape[1]) if (others[:, r] >= n).all()]
        matched[n - 1], total[n - 1] = (part.sum() for part in matches(candidates, columns, n))
    if method == "none" and (total == 0).any():
        return 0.0
    if method == "floor":
        precision = torch.where(matched == 0, torch.full_like(matched, FLOOR), matched) / total.clamp(min=1)
    elif method == "add-k":
        precision = (matched + K) / (total + K)
    else:
        precision = plain(matched, total)
    if method == "exp":
        for n in range(ORDERS):
            if precision[n] == 0:
                precision[n] = TINY if n == 0 else precision[n - 1] / 2
    if method == "none":
        precision += TINY
    length, other = (part.sum() for part in closest(candidates, references))
    if length == 0:
        return 0.0
    penalty = torch.exp(1 - other / length) if length < other else 1.0
    return float(penalty * torch.exp(torch.log(precision).mean()))


def batch(generator):
    def draw(low, high, size=()):
        return torch.randint(low, high, size, generator=generator)

    sentences, columns, length = int(draw(1, 7)), int(draw(1, 4)), int(draw(5, 25))
    vocabulary, shortest = int(draw(3, 60)), int(draw(0, length))
    candidates = draw(1, vocabulary + 1, (sentences, length))
    mutation = torch.rand((), generator=generator)
    fresh = torch.rand((sentences, columns, length), generator=generator) < mutation
    references = torch.where(fresh, draw(1, vocabulary + 1, (sentences, columns, length)), candidates[:, None, :])
    places = torch.arange(length)
    candidates = candidates * (places < draw(shortest, length + 1, (sentences, 1)))
    references = references * (places < draw(shortest, length + 1, (sentences, columns, 1)))
    if draw(0, 3) == 0:
        candidates[draw(0, sentences), draw(0, length)] = 0
    return candidates, references


def main():
    generator = torch.Generator().manual_seed(SEED)
    out = bytearray(struct.pack("<I", BATCHES))
    for _ in range(BATCHES):
        candidates, references = batch(generator)
        out += bytes([*references.shape]) + bytes(candidates.flatten().tolist()) + bytes(references.flatten().tolist())
        for method in METHODS:
            out += struct.pack(f"<{len(candidates)}d", *sentence_scores(candidates, references, method).tolist())
        out += struct.pack("<4d", *(corpus_score(candidates, references, method) for method in METHODS))
    pathlib.Path(__file__).with_name("tensorbleu_scores.bin").write_bytes(out)


if __name__ == "__main__":
    main()
