"""Fixtures shared by the tests: real models at their smallest size, and a home of its own for each test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from openai import OpenAI

    from castalia.training import Collection
    from servers import Person, Served


def _model(name: str) -> Path:
    from castalia.models import ensure

    return ensure(name)


@pytest.fixture(scope="session", autouse=True)
def _shared_models(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Models are fetched once into the user's own model folder; all else happens in temporary homes."""
    from castalia.core.files import folders

    os.environ.setdefault("CASTALIA_MODELS", str(folders().models))
    os.environ["CASTALIA_HOME"] = str(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def small_model_path() -> Path:
    """Qwen2.5-Coder-0.5B-Instruct, Q4_K_M: English and Chinese."""
    return _model("qwen2.5-coder-0.5b")


@pytest.fixture(scope="session")
def english_model_path() -> Path:
    """SmolLM2-135M-Instruct, Q4_1: English only, the fastest."""
    return _model("smollm2-135m")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty CASTALIA_HOME."""
    monkeypatch.setenv("CASTALIA_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[..., str]]:
    """Starts llama.cpp's own server: (model, key="", slots=1) → its URL."""
    with ExitStack() as running:

        def start(model: Path, key: str = "", slots: int = 1) -> str:
            command = [sys.executable, str(Path(__file__).with_name("llama_server.py")), str(model), key, str(slots)]
            process = running.enter_context(
                subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            )
            running.callback(process.kill)
            assert process.stdout is not None
            address = next(line for line in process.stdout if "127.0.0.1" in line).strip()
            return (address if address.startswith("http") else f"http://{address}") + "/v1"

        yield start


@pytest.fixture(scope="module")
def served(english_model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with the fastest model, for a file that needs no other."""
    from servers import Served

    data = tmp_path_factory.mktemp("served") / "server"
    server = Served(data, environment={"CASTALIA_MODEL": "smollm2-135m", "CASTALIA_THREADS": "1"}).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def ada(served: Served) -> Person:
    """Its first account."""
    return served.sign_up("Ada")


@pytest.fixture(scope="module")
def client(served: Served, ada: Person) -> Iterator[OpenAI]:
    """The official client, by a key of hers."""
    from openai import OpenAI

    with OpenAI(base_url=f"{served.url}/v1", api_key=ada.key(), max_retries=0, timeout=120) as made:
        yield made


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Collection[Any]:
    """42 pictures of one shape each."""
    from castalia.training import add
    from picture_shapes import write_shapes

    folder = tmp_path_factory.mktemp("shapes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASTALIA_HOME", str(folder / "home"))
        source = write_shapes(folder / "pictures")
        return add("shapes", str(source), kind="picture", owner="Me", licence="own work")


@pytest.fixture(scope="session")
def shapes_model(shapes: Collection[Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smallest picture model, which learned `shapes` with seed 1."""
    import torch

    from castalia.training.images import train_images

    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("model") / "shapes"
    return train_images(shapes, folder, preset="tiny", seed=1, log=lambda _: None)
