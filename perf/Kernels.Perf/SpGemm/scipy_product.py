# SciPy's product of CSR matrices for Kernels.Perf: reads commands from standard input, one a line, and answers each with one line.
#   load ROWS INNER COLUMNS LEFT RIGHT TYPE PATH   reads int32 pointers and columns and the values of both operands   -> ok
#   run CALLS                                      multiplies                                                         -> seconds for all calls
#   save PATH                                      multiplies and writes int64 pointers, int32 columns, values        -> number of entries
#   read CALLS PATH                                scipy.io.mmread, to compressed rows                                -> seconds for all calls
#   dump PATH TARGET                               reads and writes int64 pointers, int32 columns, values             -> number of entries
import sys
import time

import numpy as np
import scipy
import scipy.io
import scipy.sparse as sparse

print("scipy", scipy.__version__, flush=True)


def matrix(file, rows, columns, count, kind):
    pointers = np.fromfile(file, np.int32, rows + 1)
    indices = np.fromfile(file, np.int32, count)
    return sparse.csr_matrix((np.fromfile(file, kind, count), indices, pointers), shape=(rows, columns))


def write(path, product):
    with open(path, "wb") as file:
        product.indptr.astype(np.int64).tofile(file)
        product.indices.astype(np.int32).tofile(file)
        product.data.tofile(file)
    return str(product.nnz)


left = right = None
for line in sys.stdin:
    command, *words = line.rstrip("\n").split(" ")
    answer = "ok"
    if command == "load":
        rows, inner, columns, left_count, right_count = (int(word) for word in words[:5])
        with open(words[6], "rb") as file:
            left = matrix(file, rows, inner, left_count, words[5])
            right = matrix(file, inner, columns, right_count, words[5])
    elif command == "run":
        start = time.perf_counter()
        for _ in range(int(words[0])):
            product = left @ right
        answer = repr(time.perf_counter() - start)
    elif command == "read":
        start = time.perf_counter()
        for _ in range(int(words[0])):
            scipy.io.mmread(words[1]).tocsr()
        answer = repr(time.perf_counter() - start)
    elif command == "dump":
        answer = write(words[1], scipy.io.mmread(words[0]).tocsr())
    else:
        answer = write(words[0], left @ right)
    print(answer, flush=True)
