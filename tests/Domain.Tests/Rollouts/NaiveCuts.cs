using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>
/// The waves as rollouts.md says them, by somebody who sees every member: each wave takes, in the order, those that are left and that it
/// may take; of every stratum as many as it is owed. Shares are dealt out one device after the other.
/// </summary>
internal sealed class NaiveCuts
{
    private readonly ImmutableArray<string> _fields;
    private List<MemberPoint> _left;

    private NaiveCuts(ImmutableArray<WaveSpec> waves, ImmutableArray<MemberPoint> members)
    {
        _fields = WaveSorting.FieldsOf(waves);
        _left = [.. members.OrderBy(member => member.Hash).ThenBy(member => member.Device.Value, StringComparer.Ordinal)];
        for (var i = 0; i < waves.Length; i++)
        {
            var assigned = members.Length - _left.Count;
            var upTo = waves[i].Size.Kind == AmountKind.Count
                ? assigned + waves[i].Size.Value
                : (int)Math.Floor((members.Length * waves[i].Size.Value / 100m) + 0.5m);
            Take(waves[i], i, Math.Max(0, Math.Min(upTo, members.Length) - assigned));
        }

        if (_left.Count > 0)
        {
            Sizes.Add(_left.Count);
            _left.ForEach(member => WaveOf.Add(member.Device, waves.Length));
        }
    }

    public List<int> Sizes { get; } = [];

    public List<int> PassedOver { get; } = [];

    public List<string> Strata { get; } = [];

    public Dictionary<DeviceId, int> WaveOf { get; } = [];

    public static NaiveCuts Of(ImmutableArray<WaveSpec> waves, ImmutableArray<MemberPoint> members) => new(waves, members);

    private void Take(WaveSpec wave, int index, int wanted)
    {
        var matching = _left.FindAll(member => !wave.HasFilter || (member.Class!.Matches >> index & 1) == 1);
        var groups = matching.GroupBy(member => wave.IsStratified ? StratumOf(wave, member) : "")
            .OrderBy(group => group.Key, Values).ToList();
        var candidates = groups.ConvertAll(group => group.Where(member => member.Connected || !wave.ConnectedOnly).ToList());
        var owed = wave.IsStratified
            ? Deal([.. candidates.Select(group => group.Count)], wanted)
            : [.. candidates.Select(group => Math.Min(group.Count, wanted))];
        var passedOver = 0;
        for (var i = 0; wanted > 0 && i < groups.Count; i++)
        {
            var taken = candidates[i].Take(owed[i]).ToList();
            taken.ForEach(member => WaveOf.Add(member.Device, index));
            _left = _left.Except(taken).ToList();
            passedOver += groups[i].Except(candidates[i]).Count(member =>
                IsAll(wave, candidates[i].Count, owed[i], wanted) || (taken.Count > 0 && IsBefore(member, taken[^1])));
            if (wave.IsStratified && candidates[i].Count > 0)
            {
                Strata.Add($"{index} {groups[i].Key} {owed[i]} of {candidates[i].Count}");
            }
        }

        Sizes.Add(wanted > 0 ? owed.Sum() : 0);
        PassedOver.Add(wave.ConnectedOnly ? passedOver : 0);
    }

    /// <summary>A wave (or a stratum) that takes all that it finds has passed over everybody else.</summary>
    private static bool IsAll(WaveSpec wave, int found, int owed, int wanted) => wave.IsStratified ? owed == found : found < wanted;

    private static bool IsBefore(MemberPoint member, MemberPoint end) => member.Hash < end.Hash
        || (member.Hash == end.Hash && string.CompareOrdinal(member.Device.Value, end.Device.Value) < 0);

    private string StratumOf(WaveSpec wave, MemberPoint member) =>
        string.Join('/', wave.StratifyBy.Select(field => member.Class!.Values[_fields.IndexOf(field)]));

    private static IComparer<string> Values { get; } = Comparer<string>.Create((left, right) =>
        left.Split('/').Zip(right.Split('/'), string.CompareOrdinal).FirstOrDefault(order => order != 0));

    /// <summary>One device each, the largest first; then what is owed beyond that, the largest debt first, in fractions.</summary>
    private static ImmutableArray<int> Deal(ImmutableArray<int> sizes, int wanted)
    {
        var seats = new int[sizes.Length];
        var present = Enumerable.Range(0, sizes.Length).Where(i => sizes[i] > 0).OrderByDescending(i => sizes[i]).ToList();
        var devices = Math.Min(wanted, sizes.Sum());
        if (devices < present.Count)
        {
            present.Take(devices).ToList().ForEach(i => seats[i] = 1);
            return [.. seats];
        }

        // Who is owed less than one has one; that may leave less than one for another.
        while (present.Find(i => (decimal)devices * sizes[i] / present.Sum(j => sizes[j]) < 1) is var small
            && present.Exists(i => (decimal)devices * sizes[i] / present.Sum(j => sizes[j]) < 1))
        {
            seats[small] = 1;
            devices--;
            present.Remove(small);
        }

        // Whole parts, then one more each to the largest remainders.
        var all = present.Sum(i => sizes[i]);
        present.ForEach(i => seats[i] = (int)((long)devices * sizes[i] / all));
        var rest = devices - present.Sum(i => seats[i]);
        foreach (var i in present.OrderByDescending(i => (long)devices * sizes[i] % all).ThenBy(i => i).Take(rest))
        {
            seats[i]++;
        }

        return [.. seats];
    }
}
