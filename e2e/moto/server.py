"""A server on a free port of the loopback address that speaks AWS's API: moto, and what it lacks.

Prints its port on a line of its own as soon as it listens, and serves until it is killed or its standard input ends.
"""

import logging
import os
import sys
import threading

# moto reads both while it is loaded: the policies that AWS manages exist, and a service runs its task.
os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
os.environ["MOTO_ECS_SERVICE_RUNNING"] = "1"

import lacking
import lacking.cbor
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server


def main():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    lacking.add()
    application = lacking.cbor.understood(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler)
    threading.Thread(target=stop_with_parent, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdout = sys.stderr  # Nobody reads on, and moto prints now and then.
    server.serve_forever()


def stop_with_parent():
    """Who started this server holds the other end of standard input: it ends with them, however they ended."""
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
