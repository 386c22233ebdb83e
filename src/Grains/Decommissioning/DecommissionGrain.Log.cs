using Microsoft.Extensions.Logging;

namespace Muster.Grains.Decommissioning;

internal static partial class DecommissionLog
{
    [LoggerMessage(1, LogLevel.Information, "Decommission of {DeviceKey}: {Fact} by {Actor}")]
    public static partial void DecommissionChanged(this ILogger<DecommissionGrain> logger, string deviceKey, string fact, string actor);

    [LoggerMessage(2, LogLevel.Information, "Decommission of {DeviceKey}: refused, {Reason}, by {Actor}")]
    public static partial void DecommissionRefused(this ILogger<DecommissionGrain> logger, string deviceKey, string reason, string actor);
}
