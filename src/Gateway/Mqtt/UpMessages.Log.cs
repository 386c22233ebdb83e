using Muster.Domain.Devices;

namespace Muster.Gateway.Mqtt;

internal sealed partial class UpMessages
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "A {Kind} of session {ClientId} could not be handled now; it is not acknowledged")]
    private static partial void LogFault(ILogger logger, Exception exception, string clientId, UpKind kind);

    [LoggerMessage(Level = LogLevel.Information, Message = "A '{Kind}' of session {ClientId} is refused: {Reason}")]
    private static partial void LogRefused(ILogger logger, string clientId, UpKind kind, string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "A rejection for session {ClientId} found no receiving session")]
    private static partial void LogRejectionLost(ILogger logger, Exception exception, string clientId);
}
