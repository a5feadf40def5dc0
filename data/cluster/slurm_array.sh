#!/bin/bash
# Classifies a folder in shards, one task of a Slurm array per shard:
#
#     sbatch --array=1-8 slurm_array.sh FOLDER OUT_FOLDER [more arguments of classify]
#     tail -qn 1 OUT_FOLDER/part-*.events                     # how far each task is
#     sonoprint merge OUT_FOLDER/part-*.csv --out all.csv     # when all are done
#
# For long tracks, add `--excerpts 3`, which reads three parts of each.
# If a task's node is lost or the task is killed, it is queued again and resumes from the journal beside its part.
# SONOPRINT names the program if it is not on the PATH.
#SBATCH --job-name=sonoprint
#SBATCH --requeue
#SBATCH --open-mode=append
set -u
folder=$1 out=$2
shift 2
mkdir -p "$out"
"${SONOPRINT:-sonoprint}" classify "$folder" --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" \
    --out "$out/part-$SLURM_ARRAY_TASK_ID.csv" --events "$out/part-$SLURM_ARRAY_TASK_ID.events" "$@"
code=$?
# Slurm itself queues the tasks of lost nodes again. A task that was killed, for lack of memory for example, requests it
# here, at most five times.
if [ $code -gt 128 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 5 ]; then
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" && exit 0
fi
# Exit code 1: done, but some files could not be read. They have their rows.
[ $code -le 1 ] || exit $code
