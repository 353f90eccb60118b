

# Behind a rival's prepare(candidates, references), on lists of ids, and score(prepared, threads), which gives a float for each candidate: reads commands
# from standard input, one a line, and answers each with one line.
#   load BATCH SENTENCES LENGTH REFERENCES PATH   reads int32 ids: candidates, then references; keeps so many sentences of the batch   -> ok
#   run THREADS CALLS                             scores the sentences so often                                                        -> seconds for all calls
#   save PATH                                     scores the sentences and writes float64 scores                                       -> ok
def load(batch, sentences, length, references, path):
    import array
    ids = array.array("i")
    with open(path, "rb") as file:
        ids.frombytes(file.read())
    rows = [ids[i:i + length].tolist() for i in range(0, len(ids), length)]
    return prepare(rows[:sentences], [rows[batch + i * references:batch + (i + 1) * references] for i in range(sentences)])


def serve():
    import array
    import sys
    import time
    prepared = None
    for line in sys.stdin:
        command, *words = line.rstrip("\n").split(" ", 5)
        answer = "ok"
        if command == "load":
            prepared = load(*map(int, words[:4]), words[4])
        elif command == "run":
            start = time.perf_counter()
            for _ in range(int(words[1])):
                score(prepared, int(words[0]))
            answer = repr(time.perf_counter() - start)
        else:
            with open(" ".join(words), "wb") as file:
                array.array("d", score(prepared, 1)).tofile(file)
        print(answer, flush=True)


serve()
