"""A forecasting dashboard by gRPC; needs the packages of `requirements.txt`.

    python3 examples/python/dashboard_grpc.py --server http://127.0.0.1:7450
"""

import sys

from dashboard import main
from door_grpc import GrpcDoor

if __name__ == "__main__":
    sys.exit(main(GrpcDoor, "The pipeline, what stalls it and what changes, by gRPC."))
