"""Files from people nobody knows: read by hand, with numpy alone, and nothing in them is run.

No module here imports torch, unpickles, or hands a file to a library that might. What comes out is
arrays that were checked and plain data; `models.doctor` says what network they are.
"""
