"""The checkpoint doctor: from the names and shapes of a stranger's weights to a network that runs.

    diagnose   what the file is, whether it was understood, whether it is healthy, what is asked
    convert    the same network in the project's form, once nothing is asked any more
    write      its folder, the numbers bit for bit those of the file

Nothing here reads a file: arrays come in, checked by whoever read them (`models.importing`).
"""

from models.doctor.diagnosis import Converted, Diagnosis
from models.doctor.doctor import NotUsable, convert, diagnose, write

__all__ = ["Converted", "Diagnosis", "NotUsable", "convert", "diagnose", "write"]
