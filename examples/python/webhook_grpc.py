"""A CRM's webhook that writes to the service by gRPC; needs the packages of `requirements.txt`.

    python3 examples/python/webhook_grpc.py --server http://127.0.0.1:7450
"""

import sys

from door_grpc import GrpcDoor
from webhook import main

if __name__ == "__main__":
    sys.exit(main(GrpcDoor, "Takes a CRM's notifications and writes them to Verbatim by gRPC."))
