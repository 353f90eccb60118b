# sacreBLEU's sentence_score, ids as words, floor smoothing by 0.1 (NLTK's method 1 for sentences of four tokens or more), for bleu_service.py.
import sacrebleu
from sacrebleu.metrics import BLEU

print("sacrebleu", sacrebleu.__version__, flush=True)
METRIC = BLEU(tokenize="none", smooth_method="floor", smooth_value=0.1, effective_order=True)
PERCENT = 100


def text(ids):
    return " ".join(map(str, ids))


def prepare(candidates, references):
    return [(text(candidate), list(map(text, own))) for candidate, own in zip(candidates, references)]


def score(prepared, threads):
    return [METRIC.sentence_score(candidate, references).score / PERCENT for candidate, references in prepared]
