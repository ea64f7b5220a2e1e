"""The audit log: `record` and its siblings write it, `describe` turns it into sentences, `activity` lists it."""

from console.audit.log import changes, count_acts, events_about, kind_of, label_of, record, record_each, record_set

__all__ = ["changes", "count_acts", "events_about", "kind_of", "label_of", "record", "record_each", "record_set"]
