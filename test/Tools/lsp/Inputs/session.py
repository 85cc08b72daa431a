# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a short session with a language server to standard output."""
import json
import sys

BAD = "neuro.network @n dt 0.0 {\n}\n"
GOOD = """neuro.network @n dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
}
"""


def send(method, params, number=None):
    message = {"jsonrpc": "2.0", "method": method, "params": params}
    if number is not None:
        message["id"] = number
    body = json.dumps(message)
    sys.stdout.write(f"Content-Length: {len(body)}\r\n\r\n{body}")


send("initialize", {"processId": None, "rootUri": None, "capabilities": {}}, 0)
for uri, text in (("file:///bad.mlir", BAD), ("file:///good.mlir", GOOD)):
    send("textDocument/didOpen", {"textDocument": {
        "uri": uri, "languageId": "mlir", "version": 1, "text": text}})
send("textDocument/hover", {"textDocument": {"uri": "file:///good.mlir"},
                            "position": {"line": 1, "character": 10}}, 1)
send("shutdown", None, 2)
send("exit", None)
