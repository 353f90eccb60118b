# The steps of the published TensorBLEU (arXiv 2510.05485) in torch on the CPU, in float32 as there, floor smoothing by 0.1, for bleu_service.py. Sequences here
# hold no padding, so its masks are left out; that favours it.
import torch

ORDERS = 4
FLOOR, TINY = 0.1, 1e-12


def prepare(candidates, references):
    return torch.tensor(candidates), torch.tensor(references)


def matches(candidates, references, n):
    batch, columns = references.shape[:2]
    sides = [candidates.unfold(1, n, 1), *(references[:, column].unfold(1, n, 1) for column in range(columns))]
    distinct, number = torch.unique(torch.cat([side.reshape(-1, n) for side in sides]), dim=0, return_inverse=True)
    sentence = torch.arange(batch)[:, None] * len(distinct)
    tables, first = [], 0
    for side in sides:
        last = first + side.shape[0] * side.shape[1]
        cells = number[first:last].view(batch, -1) + sentence
        tables.append(torch.bincount(cells.view(-1), minlength=batch * len(distinct)).view(batch, -1))
        first = last
    most = tables[1]
    for table in tables[2:]:
        most = torch.maximum(most, table)
    return torch.minimum(tables[0], most).sum(dim=1).float(), sides[0].shape[1]


def score(prepared, threads):
    torch.set_num_threads(threads)
    candidates, references = prepared
    logs = torch.zeros(len(candidates))
    for n in range(1, ORDERS + 1):
        matched, total = matches(candidates, references, n)
        logs += torch.log(torch.where(matched == 0, torch.full_like(matched, FLOOR), matched) / total + TINY)
    # All sequences are equally long: there is no brevity penalty.
    return torch.exp(logs / ORDERS).tolist()
