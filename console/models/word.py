from django.db import models

from console.fields import KeyField


class NameWord(models.Model):
    """A word of the name of a row, by which the row is found. `console.words` writes it with the row.

    It belongs to no organization: it only says which rows to look at, and those do.
    """

    kind = models.CharField(max_length=20)
    row_id = models.BigIntegerField()
    word = KeyField(max_length=60)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "row_id", "word"], name="name_word_unique")]
        indexes = [models.Index(fields=["kind", "word", "row_id"], name="name_word_by_word")]

    def __str__(self) -> str:
        return self.word
