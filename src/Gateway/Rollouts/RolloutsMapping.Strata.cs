using System.Collections.Immutable;
using Muster.Domain.Rollouts;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Rollouts;

/// <summary>How members are cut into waves and strata.</summary>
internal static partial class RolloutsMapping
{
    /// <summary>The waves as a start would cut them now.</summary>
    public static IEnumerable<V1.Wave> ToPlanned(ImmutableArray<WaveCut> cuts) => (cuts.IsDefault ? [] : cuts).Select((cut, index) =>
        WithStrata(cut, new V1.Wave { Index = index, State = V1.WaveState.Pending, Waiting = cut.Members }));

    private static V1.Wave WithStrata(WaveCut cut, V1.Wave wave)
    {
        wave.Members = cut.Members;
        wave.LateJoiners = cut.TakesJoiners;
        foreach (var stratum in cut.Strata.IsDefault ? [] : cut.Strata)
        {
            var api = new V1.Stratum { Members = stratum.Members, Available = stratum.Available };
            api.Values.AddRange(stratum.Values);
            wave.Strata.Add(api);
        }

        return wave;
    }
}
