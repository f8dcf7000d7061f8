"""SkyRL's Tinker server, its engine started by this interpreter instead of by `uv run`, which wants a project around it."""
import importlib.util
import sys
import types

ENGINE_COMMAND = "_build_uv_run_cmd_engine(parent_cmd, app.state.engine_config)"
OURS = "[__import__('sys').executable, '-m', 'skyrl.tinker.engine', *config_to_argv(app.state.engine_config)]"

path = importlib.util.find_spec("skyrl.tinker.api").origin
with open(path) as file:
    source = file.read()
if source.count(ENGINE_COMMAND) != 1:
    sys.exit(f"{path}: expected the call {ENGINE_COMMAND} once; this SkyRL is another than the one this was written for")
main = types.ModuleType("__main__")
sys.modules["__main__"] = main
exec(compile(source.replace(ENGINE_COMMAND, OURS), path, "exec"), main.__dict__)
