# dkimpy as a verifier: reads a message and the records of the DNS as JSON, prints what it thinks of each signature.
import base64
import json
import sys

import dkim

job = json.load(sys.stdin)


def txt(name, timeout=5):
    return job["records"].get(name.decode().rstrip("."), "").encode()


message = dkim.DKIM(base64.b64decode(job["message"]))
verdicts = []
for index in range(job["signatures"]):
    try:
        verdicts.append(message.verify(idx=index, dnsfunc=txt))
    except dkim.DKIMException as error:
        verdicts.append(str(error))
print(json.dumps(verdicts))
