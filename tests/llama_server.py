"""Start llama.cpp's own server on a free port and print its address; used by the tests as a real remote endpoint.

Run: python tests/llama_server.py MODEL.gguf [API_KEY [SLOTS]]
"""

import sys
import time

import xllamacpp

parameters = xllamacpp.CommonParams()
parameters.model.path = sys.argv[1]
slots = int(sys.argv[3]) if len(sys.argv) > 3 else 1
parameters.n_ctx = 2048 * slots
parameters.n_parallel = slots
parameters.cpuparams.n_threads = 1
parameters.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED  # as in process
parameters.hostnames = ["127.0.0.1"]
parameters.port = 0
if len(sys.argv) > 2 and sys.argv[2]:
    parameters.api_keys = [sys.argv[2]]
server = xllamacpp.Server(parameters)
print(server.listening_address, flush=True)
while True:
    time.sleep(60)
