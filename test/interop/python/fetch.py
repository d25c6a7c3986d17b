# poplib as a reader: reads where and who as JSON, goes through the life of a maildrop, prints what it saw as JSON.
import json
import poplib
import ssl
import sys

job = json.load(sys.stdin)
context = ssl.create_default_context(cafile=job["authority"])
seen = {}


def connect():
    if job["tls"] == "implicit":
        return poplib.POP3_SSL("localhost", job["port"], context=context)
    client = poplib.POP3("localhost", job["port"])
    seen["before"] = sorted(client.capa())
    try:
        client.user(job["user"])
        seen["early"] = True
    except poplib.error_proto:
        seen["early"] = False
    client.stls(context)
    return client


def log_in(client, password=job["password"]):
    client.user(job["user"])
    client.pass_(password)


def refused(client, action):
    try:
        action(client)
    except poplib.error_proto as error:
        return error.args[0].decode().split("]")[0]
    return None


client = connect()
seen["capabilities"] = sorted(client.capa())
seen["wrong"] = refused(client, lambda each: log_in(each, "wrong"))
client.utf8()
log_in(client)
seen["stat"] = list(client.stat())
seen["listed"] = [line.decode() for line in client.list()[1]]
seen["sizes"] = []
seen["bodies"] = []
for number in range(1, seen["stat"][0] + 1):
    _, lines, _ = client.retr(number)
    octets = b"".join(line + b"\r\n" for line in lines)
    seen["sizes"].append(f"{number} {len(octets)}")
    seen["bodies"].append(octets.split(b"\r\n\r\n", 1)[1].decode())
seen["top"] = len(client.top(1, 1)[1])
seen["ids"] = [line.decode().split()[1] for line in client.uidl()[1]]
other = connect()
seen["second"] = refused(other, log_in)
other.quit()
client.dele(1)
client.noop()
client.rset()
client.dele(2)
client.quit()
again = connect()
log_in(again)
seen["left"] = [line.decode().split()[1] for line in again.uidl()[1]]
again.dele(1)
again.close()
last = connect()
log_in(last)
seen["unquit"] = last.stat()[0]
last.quit()
json.dump(seen, sys.stdout)
