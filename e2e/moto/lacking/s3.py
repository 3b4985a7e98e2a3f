"""Of two conditional writes at once S3 lets one through: it looks and writes in one step. moto looks first and writes then.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

import threading

from moto.s3.responses import S3Response


def add():
    one_at_a_time = threading.Lock()
    put_object = S3Response.put_object

    def put_object_in_one_step(self):
        with one_at_a_time:
            return put_object(self)

    S3Response.put_object = put_object_in_one_step
