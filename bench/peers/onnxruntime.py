"""ONNX Runtime: prediction alone."""

from typing import Any

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from bench.peers.base import Predict
from bench.rows import Array, Data, Row

title = "ONNX Runtime"
_threads = 1


def version() -> str:
    return str(onnxruntime.__version__)


def use_threads(threads: int) -> None:
    global _threads
    _threads = threads


def training(row: Row, data: Data) -> None:
    """It does not train."""


def predict(row: Row, parameters: Array) -> Predict | None:
    if any(layer.residual for layer in row.layers):
        return None
    nodes, weights, value = [], [], "x"
    for i, layer in enumerate(row.layers):
        names = [f"weight{i}", f"bias{i}"]
        for name, array in zip(names, layer.weight_and_bias(parameters), strict=True):
            weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        nodes.append(helper.make_node("Gemm", [value, *names], [f"z{i}"]))
        value = f"z{i}"
        if layer.activation != "identity":
            kind = {"relu": "Relu", "sigmoid": "Sigmoid"}[layer.activation]
            nodes.append(helper.make_node(kind, [value], [f"a{i}"]))
            value = f"a{i}"

    def tensor(name: str, width: int) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", width])

    graph = helper.make_graph(
        nodes, "network", [tensor("x", row.inputs)], [tensor(value, row.outputs)], weights
    )
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    run: Any = session.run
    return lambda x: run(None, {"x": x})[0]
