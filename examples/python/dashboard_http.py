"""A forecasting dashboard by plain HTTP and JSON, with nothing but Python's standard library.

    python3 examples/python/dashboard_http.py --server http://127.0.0.1:7450
"""

import sys

from dashboard import main
from door_http import HttpDoor

if __name__ == "__main__":
    sys.exit(main(HttpDoor, "The pipeline, what stalls it and what changes, by plain HTTP."))
