"""CloudWatch: what has happened to alarms, which is nothing here, since no alarm is evaluated.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html
"""

from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult


def add():
    CloudWatchResponse.describe_alarm_history = describe_alarm_history


def describe_alarm_history(self):
    return ActionResult({"AlarmHistoryItems": []})
