"""``deploy-planner finetune``: ranked training jobs for this machine, or for hardware that is named."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, get_args

from planner.cli.answer import add_answer_options, give, refuse_existing
from planner.cli.asked import HARDWARE_HELP, hardware_of
from planner.cli.options import add_overlay_option, library_of
from planner.cli.report_option import report_path, write_report_of
from planner.cli.values import count, positive, share, tokens
from planner.errors import BadInput
from planner.training.request import FinetuneGoal, FinetuneRequest

if TYPE_CHECKING:
    from planner.documents.result import PlanDocument
    from planner.library import Library

MOST_TOKENS = 1e18
EXAMPLES = """examples:
  deploy-planner finetune --model llama-3.1-8b-instruct                        on this machine
  deploy-planner finetune --model qwen3-32b --hardware 2xRTX-4090 --method qlora --tokens 20e6
  deploy-planner finetune --model deepseek-v3 --hardware 32x8xH100-SXM --method full --preset domain --json
  deploy-planner finetune --model llama-3.1-70b-instruct --hardware 8xH100-SXM --goal memory --seq-len 16384
  deploy-planner finetune --model qwen2.5-7b --teacher deepseek-r1 --samples 800000 --hardware 8xH200-SXM"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    _question_options(parser)
    _job_options(parser)
    _teacher_options(parser)
    add_answer_options(parser)
    add_overlay_option(parser)


def _question_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("hardware, model and method")
    group.add_argument("--model", required=True, metavar="ID|PATH", help="a catalogue id or a local path")
    group.add_argument("--hardware", metavar="SPEC|FILE", help=HARDWARE_HELP)
    group.add_argument("--fabric", metavar="ID", help="network between nodes: infiniband-ndr, roce-400g …")
    group.add_argument(
        "--method", nargs="+", action="extend", default=[], metavar="NAME", help="allowed: full lora qlora dora (all)"
    )
    group.add_argument("--trainer", metavar="NAME", help="axolotl llama-factory trl megatron unsloth ktransformers")
    group.add_argument("--goal", choices=get_args(FinetuneGoal), default="time", help="what to rank by (time)")


def _job_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the job")
    group.add_argument(
        "--preset", metavar="NAME", help="instructions distillation preferences domain long reinforcement"
    )
    group.add_argument("--objective", metavar="NAME", help="sft dpo grpo pretrain")
    group.add_argument("--seq-len", type=tokens, metavar="N", help="tokens of a (packed) sample")
    group.add_argument("--tokens", metavar="N", help="of one epoch: 10e6, 10000000")
    group.add_argument("--epochs", type=positive, metavar="N", help="times through the data (the preset's)")
    group.add_argument("--batch", type=count(1, 10**7), metavar="N", help="samples of one optimizer step")
    group.add_argument("--rank", type=count(1, 10**6), metavar="N", help="of the adapters (16)")


def _teacher_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("distillation: a teacher writes the samples first, on the same hardware")
    group.add_argument("--teacher", metavar="ID|PATH", help="the model that writes them")
    group.add_argument("--samples", type=count(1, 10**10), default=800_000, metavar="N", help="to learn from (800000)")
    group.add_argument("--prompt-tokens", type=tokens, default=200, metavar="N", help="of a question (200)")
    group.add_argument("--answer-tokens", type=tokens, default=5000, metavar="N", help="of an answer (5000)")
    group.add_argument("--keep", type=share, default=1.0, metavar="SHARE", help="of the answers that survive (1)")


def run(args: argparse.Namespace) -> int:
    from planner.cli.finetune_table import finetune_markdown, finetune_table

    library = library_of(args)
    refuse_existing(args)
    report = report_path(args)
    document = _planned(args, library)
    write_report_of(report, document, library, args)
    return give(document, args, table=finetune_table, markdown=finetune_markdown)


def _planned(args: argparse.Namespace, library: Library) -> PlanDocument:
    request = request_of(args, library)
    if args.teacher is None:
        from planner.training.search import plan_finetune

        return plan_finetune(request, library)
    from planner.training.distill import Distillation, plan_distillation

    asked = Distillation(args.teacher, args.samples, args.prompt_tokens, args.answer_tokens, args.keep)
    return plan_distillation(asked, request, library)


def request_of(args: argparse.Namespace, library: Library) -> FinetuneRequest:
    """The question that the options ask. Raises BadInput for values that make no job."""
    return FinetuneRequest(
        inventory=hardware_of(args, library),
        model=args.model,
        methods=tuple(dict.fromkeys(args.method)),
        trainer=args.trainer,
        preset=args.preset,
        objective=args.objective,
        seq_len=args.seq_len,
        tokens=_dataset(args.tokens),
        epochs=args.epochs,
        global_batch=args.batch,
        lora_rank=args.rank,
        goal=args.goal,
        limit=args.limit,
    )


def _dataset(text: str | None) -> float | None:
    """Tokens of the dataset; none at all train nothing."""
    if text is None:
        return None
    try:
        return positive(text, MOST_TOKENS)
    except argparse.ArgumentTypeError as error:
        raise BadInput("--tokens", f"{error}: a dataset needs tokens", "write for example --tokens 10e6") from None
