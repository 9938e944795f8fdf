"""What changes from one policy to another, by meaning: for customers, code, database, processors, the browser, the law.

Pure values. Where a change stands in the file, and how it is printed, is the command line's.
"""

from crouter.plan.difference.change import Change, Difference, Said
from crouter.plan.difference.difference import compare

__all__ = ["Change", "Difference", "Said", "compare"]
