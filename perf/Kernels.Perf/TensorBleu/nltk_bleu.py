# NLTK's sentence_bleu with method 1, for bleu_service.py.
import nltk
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

print("nltk", nltk.__version__, flush=True)
METHOD = SmoothingFunction().method1


def prepare(candidates, references):
    return list(zip(candidates, references))


def score(prepared, threads):
    return [sentence_bleu(references, candidate, smoothing_function=METHOD) for candidate, references in prepared]
