"""The audit: what it sees in a file, what it refuses, and that no file harms it."""

from __future__ import annotations

import json
import subprocess
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convert import cli
from convert.audit import AuditError, audit, float_islands, why_left
from convert.graph import probe as probing
from convert.graph.flatbuffer import Broken
from convert.graph.graph import read_graph
from convert.graph.memory import lives, plan
from convert.graph.probe import probe
from convert.graph.tables import together
from edge.model.manifest import MODEL_FILE, SHIPPED, load_manifest
from tests.tflite_files import FLOAT32, Maker


def an_addition(**changes):
    """int8 a + a, (1, 8)."""
    make = Maker()
    entry, out = make.tensor(1, 8), make.tensor(1, 8, **changes)
    make.operation("ADD", [entry, entry], [out], version=2)
    return make.content([entry], [out])


TINY = an_addition()


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "model.tflite"
        path.write_bytes(content)
        return path

    return write


@pytest.fixture
def unasked(monkeypatch):
    """The runtime is not asked: a process for each file takes its time, and the claim is about what the bytes say."""
    monkeypatch.setattr("convert.audit.probe", lambda path: probing.Probe(left=()))


@pytest.fixture(scope="module", params=["detector", "reader"])
def shipped(request):
    """Kind and audit of a shipped file."""
    return request.param, audit(SHIPPED / request.param / MODEL_FILE)


def complaints(content, file, **options):
    return " | ".join(audit(file(content), **options).complaints)


def test_the_shipped_files_are_clean_and_have_the_macs_of_their_manifests(shipped):
    kind, found = shipped
    assert found.complaints == ()
    assert set(found.tensor_types) == {"int8", "int32"}
    assert found.macs == load_manifest(SHIPPED / kind, kind)[0].macs
    assert sum(found.operations.values()) == len(found.graph.operations)


@pytest.mark.parametrize("kind", ["detector", "reader"])
def test_the_reader_of_bytes_agrees_with_the_runtime(kind):
    """Names, types, shapes, scales and order of everything, against the runtime's own account."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    content = (SHIPPED / kind / MODEL_FILE).read_bytes()
    graph = read_graph(content)
    runtime = Interpreter(model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    for detail in runtime.get_tensor_details():
        tensor = graph.tensors[detail["index"]]
        assert (tensor.name, tensor.type, tensor.shape) == (detail["name"], np.dtype(detail["dtype"]).name, tuple(detail["shape"]))
        if tensor.quantization:
            np.testing.assert_allclose(tensor.quantization.scales, detail["quantization_parameters"]["scales"])
            assert tensor.quantization.zero_points == tuple(detail["quantization_parameters"]["zero_points"])
    for one, other in zip(graph.operations, runtime._get_ops_details(), strict=True):
        assert (one.name, one.inputs, one.outputs) == (other["op_name"], tuple(other["inputs"]), tuple(other["outputs"]))


def test_what_xnnpack_takes_is_what_the_runtime_keeps_no_results_of():
    """Walking back from a delegate's outputs gives the operations inside: of those, only what leaves the delegate has memory of its own."""
    from ai_edge_litert.interpreter import Interpreter

    runtime = Interpreter(model_path=str(SHIPPED / "reader" / MODEL_FILE))
    runtime.allocate_tensors()
    steps = runtime._get_ops_details()
    taken = probing.taken_by_delegates(steps)
    leaving = {int(index) for one in steps if one["op_name"] == "DELEGATE" for index in one["outputs"]}
    for number, one in enumerate(steps):
        if one["op_name"] == "DELEGATE":
            continue
        for index in map(int, one["outputs"]):
            if number in taken and index not in leaving:
                with pytest.raises(ValueError, match="null"):
                    runtime.get_tensor(index)
            else:
                runtime.get_tensor(index)


def test_what_xnnpack_leaves_is_told_with_its_reason(file):
    make = Maker()
    entry, out = make.tensor(1, 8), make.tensor(6, 8)
    make.operation("CONCATENATION", [entry] * 6, [out], version=2)
    found = audit(file(make.content([entry], [out])))
    assert any("takes nothing of it" in remark for remark in found.remarks)
    assert why_left(found.graph, found.graph.operations[0]) == "CONCATENATION: it joins 6 tensors, XNNPACK at most 5"
    make = Maker()
    entry, out = make.tensor(1, 8), make.tensor(5, 8)
    make.operation("CONCATENATION", [entry] * 5, [out], version=2)
    assert probe(file(make.content([entry], [out]))).left == ()


def test_a_tiny_int8_file_is_clean(file):
    found = audit(file(TINY))
    assert (found.complaints, found.macs, found.probe.failure) == ((), 0, "")
    assert found.probe.operations == ("ADD",)
    assert found.memory.live == 128  # two tensors of 8 bytes, each in 64 of its own


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (an_addition(scales=()), "int8 without a scale"),
        (an_addition(scales=(0.0,)), "zero, negative or no number"),
        (an_addition(scales=(float("nan"),)), "zero, negative or no number"),
        (an_addition(zero=200), "its zero point is no int8"),
        (an_addition(scales=(0.1, 0.2), axis=1), "2 scales and 2 zero points for 8 channels"),
    ],
)
def test_broken_quantization_is_refused(content, words, file, unasked):
    assert words in complaints(content, file)


def a_float_island():
    make = Maker()
    a, b, c, d = make.tensor(1, 8), make.tensor(1, 8, type=FLOAT32), make.tensor(1, 8, type=FLOAT32), make.tensor(1, 8)
    make.operation("DEQUANTIZE", [a], [b])
    make.operation("EXP", [b], [c])
    make.operation("QUANTIZE", [c], [d])
    return make.content([a], [d])


def test_an_island_of_float_is_refused_and_said_where(file):
    content = a_float_island()
    said = complaints(content, file)
    assert "an island of float, operations 0 to 2: DEQUANTIZE 1, EXP 1, QUANTIZE 1" in said
    assert "t1 is float32" in said
    assert [len(island) for island in float_islands(read_graph(content))] == [3]
    assert complaints(content, file, allow_float=True) == ""


def test_custom_and_flex_operations_state_loops_and_open_dimensions_are_refused(file, unasked):
    for name, custom, words in (
        ("CUSTOM", b"FlexErf", "FlexErf: a Flex operation"),
        ("CUSTOM", b"mine", "mine: a custom operation"),
        ("WHILE", None, "WHILE: control flow"),
        ("READ_VARIABLE", None, "keeps state between runs"),
    ):
        make = Maker()
        entry, out = make.tensor(1, 8), make.tensor(1, 8)
        make.operation(name, [entry], [out], custom)
        assert words in complaints(make.content([entry], [out]), file)
    make = Maker()
    entry, out = make.tensor(1, 8), make.tensor(1, 8)
    make.graph.tensors[out].isVariable = True
    make.graph.tensors[entry].shapeSignature = [-1, 8]
    make.operation("ADD", [entry, entry], [out], version=2)
    said = complaints(make.content([entry], [out]), file)
    assert "keeps state between runs" in said
    assert "leaves a dimension open" in said


def test_two_inputs_and_no_operation_are_refused(file, unasked):
    make = Maker()
    a, b, out = (make.tensor(1, 8) for _ in range(3))
    make.operation("ADD", [a, b], [out], version=2)
    assert "2 inputs" in complaints(make.content([a, b], [out]), file)
    make = Maker()
    entry = make.tensor(1, 8)
    assert "no operation" in complaints(make.content([entry], [entry]), file)


def test_unused_tensors_and_idle_operations_are_remarked(file, unasked):
    make = Maker()
    entry, out, nowhere = (make.tensor(1, 8) for _ in range(3))
    make.tensor(100, data=np.zeros(100, np.int8))
    make.operation("ADD", [entry, entry], [out], version=2)
    make.operation("ADD", [entry, entry], [nowhere], version=2)
    found = audit(file(make.content([entry], [out])))
    assert found.complaints == ()
    assert any("1 tensors that nothing uses, 100 bytes" in remark for remark in found.remarks)
    assert any("1 operations whose results nobody reads: ADD 1" in remark for remark in found.remarks)


def test_memory_is_given_back_after_the_last_reader():
    make = Maker()
    entry, *steps = (make.tensor(1, 1024) for _ in range(5))
    for before, after in zip([entry, *steps], steps, strict=False):
        make.operation("ADD", [before, before], [after], version=2)
    graph = read_graph(make.content([entry], [steps[-1]]))
    memory = plan(graph)
    # The input stays to the end, as the runtime keeps it; of the others two live at a time.
    assert (memory.live, memory.arena, memory.together) == (3 * 1024, 3 * 1024, 5 * 1024)
    assert [(one.first, one.last) for one in lives(graph)] == [(0, 3), (0, 1), (1, 2), (2, 3), (3, 3)]


def test_the_planned_arena_is_no_more_than_the_runtime_lays_and_no_less_than_is_needed(shipped):
    _, found = shipped
    assert found.memory.live <= found.memory.arena <= found.memory.together
    assert found.probe.addresses >= found.memory.live - 64


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"words", "TFL3"),
        (b"\0" * 4096, "TFL3"),
        (b"PK\x03\x04" + b"\0" * 64, "a ZIP archive"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 64, "a JPEG picture"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 64, "an HDF5 file"),
        (TINY[: len(TINY) // 2], "cut off or damaged"),
        (b"\xff\xff\xff\x7fTFL3" + TINY[8:], "cut off or damaged"),
        (b"\x08\0\0\0TFL3" + b"\xff" * 64, "does not say which fields it has"),
    ],
)
def test_what_is_no_model_is_one_sentence(content, words, file, capsys):
    path = file(content)
    assert cli.main(["audit", str(path)]) == 1
    said = capsys.readouterr().err
    assert "no TFLite model" in said
    assert words in said
    assert len(said.splitlines()) == 1


def test_a_folder_and_a_missing_file_are_one_sentence(tmp_path, capsys):
    for path in (tmp_path, tmp_path / "none.tflite"):
        assert cli.main(["audit", str(path)]) == 1
        assert "no such file" in capsys.readouterr().err


def test_tables_that_refer_to_the_same_bytes_again_and_again_are_refused():
    """A small file can claim a million tensors that are all one: it is counted, not believed."""
    make = Maker()
    entry, out = make.tensor(*range(1, 100)), make.tensor(1, 8)
    make.operation("ADD", [entry, entry], [out])
    content = bytearray(make.content([entry], [out]))
    number = 15_000
    graph = bytearray(content)
    # A vector of `number` offsets at the end, all to the root table's first subgraph's first tensor, in place of the tensors' vector.
    root = int.from_bytes(graph[:4], "little")
    place = _follow(graph, _follow_entry(graph, _field(graph, root, 2)), 0)
    tensor = _follow_entry(graph, place, pointed=True)
    vector = len(graph)
    graph += number.to_bytes(4, "little")
    for entry in range(number):
        here = vector + 4 + 4 * entry
        graph += ((tensor - here) % 2**32).to_bytes(4, "little")
    graph[place : place + 4] = (vector - place).to_bytes(4, "little")
    with pytest.raises(Broken):
        read_graph(bytes(graph))


def _field(content, table, number):
    """Where a table's field lies."""
    vtable = table - int.from_bytes(content[table : table + 4], "little", signed=True)
    slot = vtable + 4 + 2 * number
    return table + int.from_bytes(content[slot : slot + 2], "little")


def _follow_entry(content, place, pointed=False):
    """The table that the first entry of the vector at `place` leads to."""
    vector = place + int.from_bytes(content[place : place + 4], "little")
    entry = vector + 4
    return entry + int.from_bytes(content[entry : entry + 4], "little")


def _follow(content, table, number):
    return _field(content, table, number)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(TINY) - 1), st.integers(0, 255)), min_size=1, max_size=12), st.integers(0, len(TINY)))
def test_no_mutation_harms_the_reader_of_bytes(changes, end):
    """A graph or `Broken`; never another error, and never for long."""
    content = bytearray(TINY)
    for place, value in changes:
        content[place] = value
    for candidate in (bytes(content), bytes(content[:end])):
        with suppress(Broken):
            plan(read_graph(candidate))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_harm_the_reader_of_bytes(tail):
    for content in (tail, b"\x10\0\0\0TFL3" + tail):
        with suppress(Broken):
            plan(read_graph(content))


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(8, len(TINY) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_no_mutation_harms_the_audit_with_the_runtime_in_it(changes, tmp_path):
    content = bytearray(TINY)
    for place, value in changes:
        content[place] = value
    path = tmp_path / "mutated.tflite"
    path.write_bytes(content)
    with suppress(AuditError):
        found = audit(path)
        assert found.complaints or not found.probe.failure


def test_a_runtime_that_dies_is_a_sentence_that_says_where(file, monkeypatch):
    def dies(*_, **__):
        return subprocess.CompletedProcess([], -11, '{"step": "lays out its memory", "runtime": "r"}\nnoise\n', "")

    monkeypatch.setattr(probing.subprocess, "run", dies)
    assert probe(file(TINY)).failure == "the runtime dies (signal 11) where it lays out its memory"
    assert "dies (signal 11)" in complaints(TINY, file)


def test_a_runtime_that_does_not_end_is_a_sentence(file, monkeypatch):
    def hangs(*_, **__):
        raise subprocess.TimeoutExpired([], 1.0, output=b'{"step": "runs it once"}\n')

    monkeypatch.setattr(probing.subprocess, "run", hangs)
    assert "runs it once and does not end" in probe(file(TINY)).failure


def test_the_command_prints_tables_and_writes_everything_as_json(tmp_path, capsys):
    told = tmp_path / "audit.json"
    path = SHIPPED / "detector" / MODEL_FILE
    assert cli.main(["audit", str(path), "--json", str(told), "--operations"]) == 0
    out = capsys.readouterr().out
    assert "clean: int8 throughout" in out
    assert "TRANSPOSE_CONV" in out
    written = json.loads(told.read_text())
    assert written["clean"]
    assert sum(one["macs"] for one in written["operations"]) == written["macs"]
    assert len(written["operations"]) == len(read_graph(path.read_bytes()).operations)
    assert written["tensors"][written["inputs"][0]]["shape"] == [1, 288, 384, 1]
    assert any(one["axis"] is not None and len(one["scales"]) == one["shape"][one["axis"]] for one in written["tensors"])


def test_a_float_file_passes_only_when_allowed(file, capsys):
    path = file(an_addition())
    make = Maker()
    entry, out = make.tensor(1, 8, type=FLOAT32), make.tensor(1, 8, type=FLOAT32)
    make.operation("ADD", [entry, entry], [out])
    path = file(make.content([entry], [out]))
    assert cli.main(["audit", str(path)]) == 1
    assert "REFUSED: an island of float" in capsys.readouterr().out
    assert cli.main(["audit", str(path), "--allow-float"]) == 0
    assert "clean, and not int8 throughout" in capsys.readouterr().out


def test_a_json_file_that_cannot_be_written_is_said_before_the_work(tmp_path, capsys):
    assert cli.main(["audit", str(SHIPPED / "detector" / MODEL_FILE), "--json", str(tmp_path / "no" / "a.json")]) == 1
    assert "name a file in a folder that is there" in capsys.readouterr().err


def test_many_tensors_of_a_type_are_one_sentence():
    said = together([*(f"tensor functional/a{number};b is float32" for number in range(5)), "tensor x is int16", "other"])
    assert said == ["other", "5 tensors are float32: functional/a0, functional/a1, functional/a2, ...", "tensor x: int16"]


def test_names_cannot_speak_to_the_terminal():
    make = Maker()
    entry, out = make.tensor(1, 8), make.tensor(1, 8)
    make.graph.tensors[out].name = "\x1b[31mred"
    make.operation("ADD", [entry, entry], [out])
    assert "\x1b" not in read_graph(make.content([entry], [out])).tensors[out].name
