"""What every tier shares: how hypothesis runs.

The profile ``ci`` is the default and repeats itself exactly: a red test is red for everybody. Set
HYPOTHESIS_PROFILE=explore to look for new examples.
"""

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("explore", max_examples=1000, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
