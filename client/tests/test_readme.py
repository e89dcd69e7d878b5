import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"


def test_the_example_that_needs_no_registry_runs(capsys: pytest.CaptureFixture[str]) -> None:
    example = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)[-1]

    exec(compile(example, str(README), "exec"), {})

    keys, verdict, features = capsys.readouterr().out.splitlines()
    assert keys.startswith("['url:example.com/~ada/', 'path:example.com/~ada/'")
    assert verdict == (
        "collection.deny - Statement stm_1 on the narrowest collection denies train-ai."
    )
    assert "'words': 9" in features
