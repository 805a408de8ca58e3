"""Runs models for many people at once; knows nothing of HTTP and nothing of any one network.

limits     every bound, with its name and unit
errors     what a generation can end with
job        what is asked for (Job), what comes back (Step, End), what runs it (Runner)
columns    which numbers of a captured row somebody wants
stream     the reader's end: an asynchronous iterator with a bounded queue
admission  who runs, who waits, who is refused
rows       what live generations have in common: they join, pause and leave
batch      the live generations of one model, one step at a time
turns      live generators of any models, an item of each in turn
memory     whether a failure is that of a device without memory
worker     the thread of one device
spare      trainings, in the time that all others leave
pictures   the encoder of pictures and the memory of what it made
readings   the memory of what transformers left behind in reading
engine     submit, stop, stats
"""

from backend.engine.engine import Engine, Stats
from backend.engine.errors import EngineError, Full, TooLarge, TooMany
from backend.engine.job import End, Job, Runner, Step
from backend.engine.limits import Limits
from backend.engine.pictures import Pictures, Seen
from backend.engine.readings import Readings
from backend.engine.spare import Spare
from backend.engine.stream import Stream
from backend.engine.turns import Turn

__all__ = [
    "End",
    "Engine",
    "EngineError",
    "Full",
    "Job",
    "Limits",
    "Pictures",
    "Readings",
    "Runner",
    "Seen",
    "Spare",
    "Stats",
    "Step",
    "Stream",
    "TooLarge",
    "TooMany",
    "Turn",
]
