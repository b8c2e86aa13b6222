"""Exported files that test themselves: they carry small pictures and the answers that these must give.

`pictures` makes the pictures, `faults` names what commonly goes wrong between a picture and a network,
`making` chooses pictures that show all of these faults and keeps them in a file's description, and `running`
asks whether a runtime answers right, and if not, what is wrong.
"""

from keras_cornernet.export.self_tests.content import SelfTest
from keras_cornernet.export.self_tests.running import SelfTestResult, run_self_test, self_test
from keras_cornernet.export.self_tests.saving import save_self_test

__all__ = ["SelfTest", "SelfTestResult", "run_self_test", "save_self_test", "self_test"]
