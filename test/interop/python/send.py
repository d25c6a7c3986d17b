# smtplib as a sender: reads a job as JSON, does it, prints what the server said as JSON.
import email.message
import json
import smtplib
import ssl
import sys


def composed(job):
    message = email.message.EmailMessage()
    message["From"] = job["sender"]
    message["To"] = ", ".join(job["recipients"])
    message["Subject"] = job["subject"]
    message["X-Composed"] = "yes"
    message.set_content("one line\n.\n..two\nÜ\n")
    return message


job = json.load(sys.stdin)
context = ssl.create_default_context(cafile=job["authority"])
said = {"features": [], "refused": {}, "error": None, "code": None}
try:
    if job["tls"] == "implicit":
        client = smtplib.SMTP_SSL("localhost", job["port"], "client.test", context=context, timeout=20)
    else:
        client = smtplib.SMTP("localhost", job["port"], "client.test", timeout=20)
    with client:
        if job["tls"] == "starttls":
            client.starttls(context=context)
        client.ehlo()
        said["features"] = sorted(client.esmtp_features)
        if job["user"]:
            if job["mechanism"]:
                client.esmtp_features["auth"] = job["mechanism"]
            client.login(job["user"], job["password"])
        options = {"mail_options": job["mail"], "rcpt_options": job["rcpt"]}
        if job["composed"]:
            refused = client.send_message(composed(job), **options)
        else:
            refused = client.sendmail(job["sender"], job["recipients"], job["content"].encode(), **options)
        said["refused"] = {address: code for address, (code, _) in refused.items()}
except smtplib.SMTPRecipientsRefused as error:
    said["error"] = type(error).__name__
    said["refused"] = {address: code for address, (code, _) in error.recipients.items()}
except smtplib.SMTPResponseException as error:
    said["error"] = type(error).__name__
    said["code"] = error.smtp_code
except Exception as error:
    said["error"] = type(error).__name__
json.dump(said, sys.stdout)
