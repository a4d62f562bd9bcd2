"""The rounds of federated_averaging.py on Flower's simulation engine, with the same NumPy training; ../peers.ts runs it."""

import json
import logging
import os
import sys
import time
import warnings

# Nothing about these runs goes to anybody.
os.environ["FLWR_TELEMETRY_ENABLED"] = "0"
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

import flwr
import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, MetricRecord, RecordDict, Message
from flwr.clientapp import ClientApp
from flwr.serverapp import ServerApp
from flwr.serverapp.strategy import FedAvg
from flwr.simulation import run_simulation

from federated_averaging import accuracy, initial, load, shares, train

warnings.filterwarnings("ignore")
logging.getLogger("flwr").setLevel(logging.ERROR)

folder, clients, cohort, rate, target, most_rounds, seed = sys.argv[1:8]
clients, cohort, rate, target, most_rounds, seed = (
    int(clients), int(cohort), float(rate), float(target), int(most_rounds), int(seed),
)

client_app = ClientApp()
data = None


@client_app.train()
def _(message, context):
    global data
    if data is None:
        # Once a process, which takes the part of many clients.
        x, y, _, _ = load(folder)
        data = [(x[rows], y[rows]) for rows in shares(len(x), clients, seed)]
    x, y = data[int(context.node_config["partition-id"])]
    weights = message.content["arrays"].to_numpy_ndarrays()
    turn = int(message.content["config"]["server-round"])
    trained = train(weights, x, y, rate, np.random.default_rng([seed, turn, int(context.node_config["partition-id"])]))
    content = {"arrays": ArrayRecord(trained), "metrics": MetricRecord({"num-examples": len(x)})}
    return Message(content=RecordDict(content), reply_to=message)


class Reached(Exception):
    """The target is reached: Flower's loop has no other way to stop early."""


server_app = ServerApp()


@server_app.main()
def _(grid, context):
    _, _, x, y = load(folder)
    began = time.perf_counter()
    turns = []

    def evaluate(server_round, arrays):
        reached = accuracy(arrays.to_numpy_ndarrays(), x, y)
        turns.append(reached)
        if reached >= target and server_round > 0:
            raise Reached
        return MetricRecord({"accuracy": reached})

    strategy = FedAvg(
        fraction_train=cohort / clients, fraction_evaluate=0, min_train_nodes=cohort, min_available_nodes=clients
    )
    try:
        strategy.start(
            grid=grid, initial_arrays=ArrayRecord(initial(seed)), num_rounds=most_rounds,
            train_config=ConfigRecord({}), evaluate_fn=evaluate,
        )
    except Reached:
        pass
    result = {"rounds": len(turns) - 1, "accuracy": turns[-1], "seconds": time.perf_counter() - began}
    print(json.dumps({**result, "flower": flwr.__version__, "numpy": np.__version__}), flush=True)


if __name__ == "__main__":
    run_simulation(
        server_app=server_app,
        client_app=client_app,
        num_supernodes=clients,
        backend_config={"client_resources": {"num_cpus": 1, "num_gpus": 0.0}},
    )
