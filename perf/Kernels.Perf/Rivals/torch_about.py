# The first answer of every script that runs torch for Kernels.Perf: its version, the instructions that its own kernels use here, and what its products go through.
import re

import torch

about = torch.__config__.show()
capability = re.search(r"CPU capability usage: *(.+)", about)
products = re.search(r"BLAS_INFO=(\w+)", about)
print(
    f"torch {torch.__version__}, CPU capability {capability.group(1).strip() if capability else 'unknown'}, float products by {products.group(1) if products else 'unknown'},"
    f" oneDNN {'in' if torch.backends.mkldnn.is_available() else 'not in'} this build, quantised products by {torch.backends.quantized.engine}",
    flush=True,
)
