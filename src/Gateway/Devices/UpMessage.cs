using Muster.Contracts.Devices;
using Muster.Domain;
using Muster.Domain.Devices;

namespace Muster.Gateway.Devices;

/// <summary>How a payload is written (design: a first byte <c>{</c> means JSON).</summary>
internal enum PayloadForm
{
    Json,
    Binary,
}

/// <summary>A read up message: one command for the device's grain, or why it cannot be read.</summary>
internal readonly record struct UpMessage(PayloadForm Form, MessageStamp Stamp, FleetError? Error)
{
    public ReportHello? Hello { get; init; }

    public ReportStatus? Status { get; init; }

    public ReportProgress? Progress { get; init; }

    public ReportInventory? Inventory { get; init; }

    public ReportResult? Result { get; init; }

    public ReportNativeEvent? Native { get; init; }

    public ValueTask<UpReply> SendAsync(IDeviceGrain device) => this switch
    {
        { Status: { } status } => device.StatusAsync(status),
        { Progress: { } progress } => new(device.ReportAsync(progress)),
        { Native: { } native } => new(device.NativeEventAsync(native)),
        { Hello: { } hello } => new(device.HelloAsync(hello)),
        { Inventory: { } inventory } => new(device.InventoryAsync(inventory)),
        { Result: { } result } => new(device.ResultAsync(result)),
        _ => throw new System.Diagnostics.UnreachableException("An up message without content."),
    };
}
