"""The one error of this package: a file is refused, why, and what would be right."""

CODES = ("unsafe_file", "damaged_file", "too_large_file", "unknown_format", "unusable_tensor")


class Refused(ValueError):
    """`code` is one of CODES, `message` says what is wrong, `hint` what would be right."""

    def __init__(self, code: str, message: str, hint: str = ""):
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


def damaged(message: str) -> Refused:
    """For bytes that do not agree with each other."""
    return Refused(
        "damaged_file", message, "Download or save the file again; it is not as it was written."
    )
