"""A CRM's webhook that writes to the service by plain HTTP and JSON, with nothing but Python's standard library.

    python3 examples/python/webhook_http.py --server http://127.0.0.1:7450
"""

import sys

from door_http import HttpDoor
from webhook import main

if __name__ == "__main__":
    sys.exit(main(HttpDoor, "Takes a CRM's notifications and writes them to Verbatim by plain HTTP."))
