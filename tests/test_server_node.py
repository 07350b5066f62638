"""Every endpoint of OpenAI's interface, asked by its official client for Node in one script."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from servers import Served, tile

HERE = Path(__file__).parent
MODEL = "smollm2-135m"


def _package() -> Path | None:
    """Where npm has put the client: of this folder, of the machine, or where CASTALIA_NODE_MODULES says."""
    if not shutil.which("node"):
        return None
    places = [Path(os.environ.get("CASTALIA_NODE_MODULES", "none")), HERE.parent / "node_modules"]
    if shutil.which("npm"):
        asked = subprocess.run(["npm", "root", "-g"], capture_output=True, text=True, timeout=30, check=False)
        places.append(Path(asked.stdout.strip() or "none"))
    return next((each / "openai" for each in places if (each / "openai" / "package.json").is_file()), None)


def test_the_node_client_finds_every_endpoint(english_model_path, tmp_path):
    package = _package()
    if package is None:
        pytest.skip("needs node, and `npm install openai` here, with -g, or in CASTALIA_NODE_MODULES")
    picture = tmp_path / "tile.png"
    picture.write_bytes(base64.b64decode(tile()["base64"]))
    served = Served(tmp_path / "server", environment={"CASTALIA_MODEL": MODEL, "CASTALIA_THREADS": "1"}).start()
    try:
        ada = served.sign_up("Ada")
        command = ["node", HERE / "openai_client.cjs", package, f"{served.url}/v1", ada.key(), picture]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert {MODEL, "castalia", "castalia/haiku"} <= {*told["models"]}
        assert told["chat"]["tokens"] == told["stream"]["usage"] == 12
        assert told["chat"]["logprobs"] > 0
        assert told["chat"]["text"]
        assert told["stream"]["text"]
        for record in (told["chat"]["record"], told["stream"]["record"]):
            assert ada.client.get(f"/api/works/{record}").status_code == 200
        assert told["call"]["name"] == "weather"
        assert json.loads(told["call"]["arguments"])["unit"] in ("C", "F")
        assert (told["json"], bool(told["completion"])) == ("object", True)
        assert told["response"]["text"] == told["response"]["again"]
        assert told["events"][0] == "response.created"
        assert told["events"][-1] in ("response.completed", "response.incomplete")
        assert (told["embedding"], told["moderation"]) == (576, True)
        assert (told["drawn"], told["edited"], told["sound"]) == ("PNG", "PNG", "RIFF")
        assert told["batch"] == {"status": "completed", "line": 200}
        assert told["files"] == 2
        assert (told["gone"]["kind"], told["gone"]["code"]) == ("NotFoundError", "response_not_found")
        assert told["speech"]["status"] == 501
        assert told["wrong"]["param"] == "logit_bias"
        assert told["stranger"]["kind"] == "AuthenticationError"
    finally:
        served.stop()
