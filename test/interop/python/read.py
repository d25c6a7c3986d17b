# imaplib as a reader: reads where and who as JSON, goes through the life of a mailbox, prints what it saw as JSON.
import imaplib
import json
import ssl
import sys

job = json.load(sys.stdin)
context = ssl.create_default_context(cafile=job["authority"])
seen = {}


def done(answer):
    kind, data = answer
    if kind != "OK":
        raise RuntimeError(f"{kind} {data}")
    return data


if job["tls"] == "implicit":
    client = imaplib.IMAP4_SSL("localhost", job["port"], ssl_context=context)
else:
    client = imaplib.IMAP4("localhost", job["port"])
    seen["before"] = sorted(client.capabilities)
    client.starttls(context)
with client:
    if job["mechanism"] == "PLAIN":
        token = f"\0{job['user']}\0{job['password']}".encode()
        done(client.authenticate("PLAIN", lambda _: token))
    else:
        done(client.login(job["user"], job["password"]))
    seen["capabilities"] = sorted(done(client.capability())[0].decode().split())
    seen["folders"] = sorted(line.decode().rsplit(" ", 1)[1].strip('"') for line in done(client.list()))
    done(client.create('"In und aus/&ANw-bung"'))
    done(client.subscribe('"In und aus/&ANw-bung"'))
    seen["count"] = int(done(client.select("INBOX"))[0])
    message = job["content"].encode()
    when = imaplib.Time2Internaldate(86400 * 365)
    done(client.append("INBOX", r"(\Seen $Work)", when, message))
    done(client.noop())
    seen["found"] = done(client.uid("SEARCH", None, "KEYWORD", "$Work"))[0].decode()
    fetched = done(client.uid("FETCH", seen["found"], "(FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[])"))
    seen["same"] = fetched[0][1] == message
    seen["items"] = fetched[0][0].decode()
    seen["date"] = imaplib.Internaldate2tuple(fetched[0][0]) is not None
    seen["flags"] = [flag.decode() for flag in imaplib.ParseFlags(fetched[0][0])]
    client.literal = "Übung".encode()
    seen["literal"] = done(client.uid("SEARCH", "CHARSET", "UTF-8", "TEXT"))[0].decode()
    done(client.uid("COPY", seen["found"], '"In und aus/&ANw-bung"'))
    done(client.uid("STORE", seen["found"], "+FLAGS.SILENT", r"(\Deleted)"))
    seen["expunged"] = len([line for line in done(client.expunge()) if line])
    seen["copied"] = int(done(client.select('"In und aus/&ANw-bung"', readonly=True))[0])
    seen["header"] = done(client.fetch("1", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))[0][1].decode()
    seen["readonly"] = client.store("1", "+FLAGS", r"(\Seen)")[0] == "NO"
    done(client.close())
    done(client.delete('"In und aus/&ANw-bung"'))
    seen["status"] = done(client.status("INBOX", "(MESSAGES UIDNEXT UNSEEN)"))[0].decode()
json.dump(seen, sys.stdout)
