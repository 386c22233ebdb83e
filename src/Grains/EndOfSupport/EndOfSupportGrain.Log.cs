using Microsoft.Extensions.Logging;

namespace Muster.Grains.EndOfSupport;

internal static partial class EndOfSupportLog
{
    [LoggerMessage(1, LogLevel.Information, "Campaign {Campaign}: {Fact}")]
    public static partial void CampaignChanged(this ILogger<EndOfSupportGrain> logger, string campaign, string fact);
}
