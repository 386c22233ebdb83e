namespace Muster.Gateway.Mqtt;

internal sealed partial class SessionLoop
{
    [LoggerMessage(Level = LogLevel.Debug, Message = "Session {ClientId} opened with epoch {Epoch} from {Remote}")]
    private static partial void LogOpened(ILogger logger, string clientId, long epoch, string remote);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Session {ClientId} with epoch {Epoch} ended")]
    private static partial void LogClosed(ILogger logger, string clientId, long epoch);

    [LoggerMessage(Level = LogLevel.Warning, Message = "That connection {ClientId} outlives a newer one could not be told to its grain")]
    private static partial void LogSuspicionUntold(ILogger logger, Exception exception, string clientId);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The end of session {ClientId} could not be told to its grain")]
    private static partial void LogDisconnectUntold(ILogger logger, Exception exception, string clientId);
}
