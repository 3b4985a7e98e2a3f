"""Tags of resources by their ARN."""


class Tags:
    """The tags of all resources of one service in one region."""

    def __init__(self):
        self._by_arn = {}

    def of(self, arn):
        """A resource's tags by key; changing them changes the resource."""
        return self._by_arn.setdefault(arn, {})

    def remove(self, arn, keys):
        for key in keys:
            self.of(arn).pop(key, None)

    def forget(self, arn):
        self._by_arn.pop(arn, None)


class PerRegion:
    """One `Tags` for each account and region: a backend is asked for its own."""

    def __init__(self):
        self._tags = {}

    def of(self, backend):
        return self._tags.setdefault((backend.account_id, backend.region_name), Tags())
