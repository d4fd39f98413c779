"""Attribution receipts for those who write and check them."""
